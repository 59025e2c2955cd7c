"""Geometry: grids, bodies, cameras, skinning, rotations, boxes, the rasteriser."""
