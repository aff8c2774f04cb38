"""Operations, memory, contexts, the interpreter and monitors."""
