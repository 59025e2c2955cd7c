"""The stages of synthesis, from the names of categories to annotated images."""
