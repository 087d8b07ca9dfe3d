"""What names somebody: the NIR, the IBAN, a telephone, an e-mail; and where one has slipped in."""
