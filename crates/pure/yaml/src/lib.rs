//! Which bytes of which file made this value?
