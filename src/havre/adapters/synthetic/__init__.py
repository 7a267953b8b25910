"""A made-up population and the SNDS files that its care would leave behind."""
