"""The unrolled diagram: from what was traced to rows of boxes, and to a drawing."""
