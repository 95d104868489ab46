"""Records, alphabets, genetic codes and the formats that hold them; knows biology, knows no tensors."""
