"""The decisions of one synthetic day are pinned: a change of any of them is seen, and has to be meant."""
