//! Black-box tests: the product through its real surfaces.
