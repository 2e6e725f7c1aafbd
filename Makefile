# Builds the libraries for C and installs them with the headers and the files for pkg-config and CMake:
#
#   make install [PREFIX=/usr/local] [LIBDIR=lib] [DESTDIR=DIR] [FEATURES=LIST]
#
# LIST is the crate's features, separated by commas, instead of its default ones; `FEATURES=` leaves out the file store.
# A variable FEATURES of the environment belongs to others and is ignored.
# Rust programs depend on the crate and need none of this.

.PHONY: help install

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

install:
	.scripts/install $(if $(filter command,$(origin FEATURES)),--features "$(FEATURES)")
