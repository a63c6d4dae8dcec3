"""What is fast is shown here: ratios between things measured in one run, on one machine. Nothing is asserted."""
