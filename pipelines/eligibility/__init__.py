"""RSA and prime d'activité of every household, by OpenFisca-France."""
