"""What several engines measure of the same bars: indicators, bar statistics, once a batch."""
