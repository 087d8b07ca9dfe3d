"""OpenFisca-France's own cases, which nobody here wrote, turned into rows of our contract."""
