"""Eyes: what is measured from outside the bots, sent through the same front door as everything else."""
