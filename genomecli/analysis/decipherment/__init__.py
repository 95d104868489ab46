"""The genetic code from texts that nobody paired: codons read as a cipher of amino acids."""
