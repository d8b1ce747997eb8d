"""From lines, boxes and words to SVG, PNG and pages that are one file."""
