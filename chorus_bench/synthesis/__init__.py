"""Synthesising training images: prompts, pictures, annotations, filters, cameras."""
