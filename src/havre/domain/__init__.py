"""What a permit, a plan or a release is: values, tables of states, pure rules."""
