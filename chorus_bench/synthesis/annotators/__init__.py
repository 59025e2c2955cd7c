"""Annotators: segmenters, keypoint detectors, pose estimators."""
