"""What is learnt of the sales: models, who of them serves, how well they do; and the gate that housing shares."""
