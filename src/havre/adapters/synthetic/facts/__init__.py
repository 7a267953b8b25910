"""What the made-up population is drawn from: facts and rates as tables, without any drawing."""
