"""Questions of users grouped by what they mean: words reduced to stems and to what is alike, then compared."""
