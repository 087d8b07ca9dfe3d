"""nonrecours: measure non-take-up of RSA and prime d'activité, and call back those who agreed."""
