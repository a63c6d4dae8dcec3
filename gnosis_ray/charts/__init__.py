"""Charts as SVG and the frame of pages: no domain."""
