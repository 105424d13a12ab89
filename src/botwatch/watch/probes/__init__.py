"""One file a kind of service: how it is asked, what its answer means, which figures it has."""
