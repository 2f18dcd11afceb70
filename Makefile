# SPDX-License-Identifier: MIT
# alation-cred: builds, installs, tests. Build output lies in .build/ alone.
#
#   make            the program, for trying in the tree     make demo    see it work, nothing prepared
#   make try        a shell in which it can be played with
#   make check      make deps, then make test               make bench   the figures of docs/performance.md
#   make install    PREFIX DESTDIR LIBDIR SYSCONFDIR        make deps    install what is missing (apt)
#                   SYSTEMD_USER_DIR
#   make check-module MODULE=FILE-OR-NAME [ARGS='ARGUMENT...']   the conformance test of a keyring module
#   SANITIZE=address,undefined builds with sanitizers; B=DIR builds elsewhere

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
SYSCONFDIR ?= /etc
DATADIR ?= $(PREFIX)/share
INCLUDEDIR ?= $(PREFIX)/include
SYSTEMD_USER_DIR ?= $(PREFIX)/lib/systemd/user
DESTDIR ?=

ifeq ($(origin CC),default)
CC := cc
endif
PKG_CONFIG ?= pkg-config
B ?= .build
SANITIZE ?=
V ?=
Q := $(if $(V),,@)# V=1 shows every command

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all install uninstall deps deps-places test check check-module demo try bench clean tests installed \
	check-layers check-links check-headers check-exports check-hardening FORCE
all:

## Flags: ours first, the packager's CPPFLAGS, CFLAGS and LDFLAGS after them.

probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')
probe_link = $(shell echo 'int main(void){return 0;}' | $(CC) $(1) -x c - -o /dev/null 2>/dev/null && echo '$(1)')

warnings := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wimplicit-fallthrough \
	-Wstrict-prototypes -Wmissing-prototypes -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion
hardening := $(foreach f,-fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-mbranch-protection=standard -fstrict-flex-arrays=3 -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks \
	-fno-strict-overflow -fno-strict-aliasing,$(call probe,$(f)))
ifeq ($(strip $(SANITIZE)),)
hardening += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
else
sanitize := -fsanitize=$(strip $(SANITIZE)) -fno-omit-frame-pointer -fno-sanitize-recover=all -DKEEP_EXIT_HANDLERS
endif

cppflags := -I. -D_GNU_SOURCE -DALATION_CRED_VERSION='"$(VERSION)"'
cflags := -std=gnu11 -O2 -g $(warnings) $(hardening) $(sanitize) -MMD -MP
ldflags := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(sanitize)
compile = $(Q)$(CC) $(cppflags) $(cflags) $(1) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
mkdir = @mkdir -p $(@D) && echo '  CC $<'

## Sources. A foreign library's header is seen by the shared objects' files alone.

builtins := kernel private-file environment credentials-directory
client_src := helper/alation/endpoints.c helper/alation/http.c helper/alation/look.c helper/alation/reply.c helper/alation/sight.c helper/alation/trust.c helper/base/clock.c protocol/out.c keyring/secret-json.c
shared_modules := secret-service sealed-file docker-helper
core_src := $(filter-out helper/main.c helper/site.c keyring/secret-json.c $(filter helper/alation/%,$(client_src)), \
	$(wildcard protocol/*.c keyring/*.c helper/*.c helper/*/*.c)) $(builtins:%=keyring/modules/%.c)
headers := $(wildcard protocol/*.h keyring/*.h helper/*.h helper/*/*.h)

PKGS_secret-service := libsecret-1
PKGS_sealed-file := libsodium
SRC_sealed-file := keyring/kernel-key.c keyring/entry-name.c keyring/note.c # of the core, compiled into it too
PKGS_docker-helper := json-c
SRC_docker-helper := keyring/secret-json.c keyring/trusted-file.c keyring/trust.c keyring/note.c # the last three are of the core, likewise
PKGS_alation := libcurl json-c libcrypto
modules_left_out := $(foreach m,$(shared_modules),$(if $(shell $(PKG_CONFIG) --exists $(PKGS_$(m)) 2>/dev/null && echo y),,$(m)))
modules := $(patsubst %,$B/modules/%.so,$(filter-out $(modules_left_out),$(shared_modules)))
program := $B/alation-cred
client := $B/alation.so
git_helper := $B/git-credential-alation
manuals := docs/alation-cred.1 docs/alation-cred.conf.5 docs/alation-cred-keyring.7 docs/alation-cred-protocol.7 docs/alation-cred-module.7
checker := $B/alation-cred-check-module
manuals += docs/alation-cred-check-module.1
ide_examples := docs/ide/alation-token.js docs/ide/alation_token.py
units := $(wildcard .packaging/systemd/*)
# FILE>WHERE, below DATADIR
completions := alation-cred.bash>bash-completion/completions/alation-cred _alation-cred>zsh/site-functions/_alation-cred \
	alation-cred.fish>fish/vendor_completions.d/alation-cred.fish

all: $(program) $(git_helper) $(client) $(modules) $(checker) installed
	@for m in $(modules_left_out); do echo "left out: $$m; its library's -dev package is missing ('make deps' installs it)"; done

## The executable: libc alone. What it was compiled for stands in site.c, which is compiled twice:
## for the tree (.build/alation-cred) and for its installed place (.build/installed/alation-cred).

core_obj := $(core_src:%.c=$B/core/%.o)
$B/core.a: $(core_obj)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$B/core/%.o: %.c
	$(mkdir)
	$(call compile,-fPIE)
$(builtins:%=$B/core/keyring/modules/%.o): $B/core/keyring/modules/%.o: keyring/modules/%.c
	$(mkdir)
	$(call compile,-fPIE -Dalation_cred_module=acred_builtin_$(subst -,_,$*))
$B/tree/site.o: helper/site.c
	$(mkdir)
	$(call compile,-fPIE -DSITE_TREE)
$B/installed/site.o: helper/site.c $B/installed/places
	$(mkdir)
	$(call compile,-fPIE -DSITE_LIBDIR='"$(LIBDIR)/alation-cred"' -DSITE_SYSCONFDIR='"$(SYSCONFDIR)/alation-cred"')
$B/installed/places: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBDIR) $(SYSCONFDIR)' | cmp -s - $@ || echo '$(LIBDIR) $(SYSCONFDIR)' >$@

link_program = $(Q)echo '  LINK $@' && umask 022 && $(CC) $(cflags) -pie $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(ldflags) -Wl,-z,nodlopen $(LDFLAGS)
$(program): $B/core/helper/main.o $B/tree/site.o $B/core.a
	$(link_program)
$B/installed/alation-cred: $B/core/helper/main.o $B/installed/site.o $B/core.a
	$(link_program)
# The same with failpoints (helper/base/failpoint.h), for tests alone; it finds its shared objects beside itself, too.
failpoints := $B/alation-cred-failpoints
$B/failpoints/%.o: %.c
	$(mkdir)
	$(call compile,-fPIE -DFAILPOINTS)
$(builtins:%=$B/failpoints/keyring/modules/%.o): $B/failpoints/keyring/modules/%.o: keyring/modules/%.c
	$(mkdir)
	$(call compile,-fPIE -Dalation_cred_module=acred_builtin_$(subst -,_,$*))
$(failpoints): $B/failpoints/helper/main.o $B/tree/site.o $(core_src:%.c=$B/failpoints/%.o)
	$(link_program)
$(git_helper): | $(program) # git finds it by this name, with $B in PATH
	@ln -sfn alation-cred $@
# What puts modules through their cases is a program for their authors: two builds of it, too.
checker_obj := $(patsubst %.c,$B/%.o,$(wildcard tests/check-module/*.c))
$B/tests/check-module/%.o: tests/check-module/%.c
	$(mkdir)
	$(call compile,-fPIE)
$(checker): $(checker_obj) $B/tree/site.o $B/core.a
	$(link_program)
$B/installed/alation-cred-check-module: $(checker_obj) $B/installed/site.o $B/core.a
	$(link_program)
installed: $B/installed/alation-cred $B/installed/alation-cred-check-module $(client) $(modules)

## Shared objects: one exported symbol each; they and their directory are 0755 whatever the umask.

# A module is NAME.c and, where it wants rooms of its own, NAME-*.c; and what stands in SRC_NAME.
module_obj = $(patsubst %.c,$B/shared/%.o,$(wildcard keyring/modules/$(1).c keyring/modules/$(1)-*.c) $(SRC_$(1)))
client_obj := $(client_src:%.c=$B/shared/%.o)
pkg = $(shell $(PKG_CONFIG) $(1) $(2))
$(client_obj): pkgs := $(PKGS_alation)
$(foreach m,$(shared_modules),$(eval $(call module_obj,$m): pkgs := $(PKGS_$m)))
$B/shared/%.o: %.c
	$(mkdir)
	$(call compile,-fPIC -fvisibility=hidden $(call pkg,--cflags,$(pkgs)))
link_shared = $(Q)echo '  LINK $@' && umask 022 && mkdir -p $(@D) && chmod 0755 $(@D) && $(CC) $(cflags) -shared $(CFLAGS) -o $@ \
	$(filter %.o,$^) $(ldflags) -Wl,--version-script=$(filter %.map,$^) $(call pkg,--libs,$(1)) $(LDFLAGS)
$(client): $(client_obj) helper/alation/alation.map
	$(call link_shared,$(PKGS_alation))
.SECONDEXPANSION:
$(modules): $B/modules/%.so: $$(call module_obj,%) keyring/modules/module.map
	$(call link_shared,$(PKGS_$*)) -pthread

## Tests. A test-X.c and a tool are linked with what the executable is made of; what else they need stands here by name.

test_src := $(filter-out $(foreach m,$(modules_left_out),$(wildcard tests/keyring/test-$m*.c)), \
	$(wildcard tests/protocol/test-*.c tests/keyring/test-*.c tests/helper/test-*.c))
test_bin := $(test_src:tests/%.c=$B/tests/%)
tool_bin := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/tools/*.c tests/bench/*.c))
guest_bin := $(patsubst tests/%.c,$B/tests/%.so,$(wildcard tests/modules/*.c tests/preload/*.c))
sandbox := $B/tests/alation-sandbox

OBJS_test-reply := $(client_obj)
OBJS_test-http := $(client_obj)
OBJS_test-trust := $(client_obj)
OBJS_test-look := $(client_obj)
PKGS_test-reply := $(PKGS_alation)
PKGS_test-http := $(PKGS_alation)
PKGS_test-trust := $(PKGS_alation)
PKGS_test-look := $(PKGS_alation)
$(foreach t,$(basename $(notdir $(wildcard tests/keyring/test-sealed-file*.c))),$(eval OBJS_$t := $(call module_obj,sealed-file)) $(eval PKGS_$t := $(PKGS_sealed-file)))
$(foreach t,$(basename $(notdir $(wildcard tests/keyring/test-docker-helper*.c))),$(eval OBJS_$t := $(call module_obj,docker-helper)) $(eval PKGS_$t := $(PKGS_docker-helper)))
PKGS_mock-secrets := gio-2.0

tests: all $(test_bin) $(tool_bin) $(guest_bin) $(sandbox) $(failpoints)
link_test = $(Q)echo '  TEST $@' && $(CC) $(cppflags) $(cflags) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(filter %.o,$^) $B/core.a $(ldflags) \
	$(if $(PKGS_$(*F)),$(call pkg,--cflags --libs,$(PKGS_$(*F)))) $(1) $(LDFLAGS)
$(test_bin): $B/tests/%: tests/%.c $B/tree/site.o $B/core.a $$(OBJS_$$(*F))
	$(mkdir)
	$(call link_test,-lcmocka)
$(tool_bin): $B/tests/%: tests/%.c $B/tree/site.o $B/core.a
	$(mkdir)
	$(call link_test)
$(guest_bin): $B/tests/%.so: tests/%.c
	$(Q)umask 022 && mkdir -p $(@D) && chmod 0755 $(@D) && \
		$(CC) $(cppflags) $(cflags) -fPIC -shared $(CPPFLAGS) $(CFLAGS) -o $@ $< $(ldflags) $(LDFLAGS)
$B/tests/sandbox/%.o: tests/sandbox/%.c
	$(mkdir)
	$(call compile)
$(sandbox): $(patsubst %.c,$B/%.o,$(wildcard tests/sandbox/*.c))
	$(Q)echo '  LINK $@' && $(CC) $(cflags) $(CFLAGS) -o $@ $^ $(ldflags) -lmicrohttpd -lgnutls -ljson-c $(LDFLAGS)

-include $(shell find $B -name '*.d' 2>/dev/null)

## What the build proves (tests/checks.bats runs these).

core_files := $(core_src) helper/main.c helper/site.c $(headers)
check-layers: # who may include whom
	@! grep -nE '#include "(\.\.|keyring|helper)/' /dev/null $(shell find protocol -name '*.[ch]')
	@! grep -nE '#include "(\.\.|protocol|helper)/' /dev/null $(shell find keyring -name '*.[ch]')
	@! grep -nE '#include <(curl|json-c|libsecret|glib|gio|sodium|openssl)' /dev/null $(core_files)
check-links: $(program) # the executable needs libc, nothing else; a failing readelf must fail
	@readelf -d $< | awk '/NEEDED/ { n++; if ($$0 !~ /\[(libc\.so|ld-linux)/) bad = 1 } END { exit bad || !n }'
check-headers: # every header stands on its own; the public one as C99 and C++11 too
	@for h in $(headers); do \
	    echo "#include \"$$h\"" | $(CC) $(cppflags) -Wall -Wextra -Werror -xc -c - -o /dev/null || exit 1; done
	@echo '#include "keyring/module.h"' | $(CC) -I. -std=c99 -Wall -Wextra -pedantic -Werror -xc -c - -o /dev/null
	@echo '#include "keyring/module.h"' | $(CC) -I. -std=c++11 -Wall -Wextra -pedantic -Werror -xc++ -c - -o /dev/null
check-exports: $(modules) $(client) # one symbol a shared object
	@for m in $(modules); do test "$$(nm -D --defined-only $$m | awk '{print $$3}')" = alation_cred_module || exit 1; done
	@test "$$(nm -D --defined-only $(client) | awk '{print $$3}')" = acred_alation

check-hardening: $(program) $(client) $(modules) # position independent, full RELRO, no executable stack, no RPATH
	@readelf -hW $(program) | grep -q 'Type:.*DYN'
	@for f in $^; do readelf -lW $$f | grep -q GNU_RELRO && readelf -dW $$f | grep -q 'BIND_NOW\|FLAGS_1.*NOW' && \
	    ! readelf -lW $$f | grep -q 'GNU_STACK.*RWE' && ! readelf -dW $$f | grep -q 'RPATH\|RUNPATH' || { echo "$$f"; exit 1; }; done

## Tests, demo, figures.

check-module: all # MODULE=FILE-OR-NAME [ARGS='ARGUMENT...'] [CHECK='OPTION...']
	@$(checker) $(CHECK) $(if $(MODULE),'$(MODULE)') $(ARGS)
test: tests
	@B='$(abspath $B)' tests/run
check:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory test
demo:
	@B='$(abspath $B)' MAKE='$(MAKE)' tests/demo $(deps_build) $(deps_demo)
try:
	@B='$(abspath $B)' MAKE='$(MAKE)' tests/try $(deps_build) $(deps_demo)
bench: tests
	@B='$(abspath $B)' tests/bench/run

## What is needed, by Debian's names: to build; to show; to test.

deps_build := gcc make pkg-config libc6-dev libcurl4-openssl-dev libssl-dev libjson-c-dev libsecret-1-dev libsodium-dev
deps_demo := libmicrohttpd-dev libgnutls28-dev gnome-keyring dbus libglib2.0-bin libsecret-tools keyutils curl
deps_test := g++ binutils git bats libcmocka-dev libglib2.0-dev libcap2-bin jq openssl procps strace systemd mandoc python3 python3-jsonschema nodejs dash openssh-client sudo bubblewrap zsh fish bash-completion golang-docker-credential-helpers pass gnupg locales tzdata
deps_test += direnv python3-requests python3-yaml # what docs/recipes.md has recipes for
# Services: not for a machine that somebody only tries this on. Their tests skip without them.
deps_places := cron openssh-server keepassxc libkf5wallet-bin libqca-qt5-2-plugins
deps:
	@tests/deps $(deps_build) $(deps_demo) $(deps_test)
deps-places:
	@tests/deps $(deps_places)

## Install. 0755 and 0644 whatever the umask; DESTDIR is the packager's.

man_dir = $(DATADIR)/man/man$(subst .,,$(suffix $(1)))
install_dir = umask 022 && mkdir -p '$(DESTDIR)$(1)' && chmod 0755 '$(DESTDIR)$(1)'
# Written in terms of its own prefix, so that pkg-config can move it.
abi = $(shell sed -n 's/^\#define ACRED_MODULE_ABI \([0-9]*\) .*/\1/p' keyring/module.h)
below_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
install_pc = sed 's|@PREFIX@|$(PREFIX)|; s|@INCLUDEDIR@|$(call below_prefix,$(INCLUDEDIR))|; s|@LIBDIR@|$(call below_prefix,$(LIBDIR))|; s|@ABI@|$(abi)|; s|@VERSION@|$(VERSION)|' \
	.packaging/alation-cred.pc.in >'$(1)' && chmod 0644 '$(1)'
completion_file = $(firstword $(subst >, ,$(1)))
completion_place = $(DATADIR)/$(lastword $(subst >, ,$(1)))
install_unit = sed 's|@BINDIR@|$(BINDIR)|' $(1) >'$(2)' && chmod 0644 '$(2)'
install: installed
	$(if $(modules),,@echo "not installed: without one of $(shared_modules) there is no place for a RefreshToken; run 'make deps' first" >&2; exit 1)
	@for m in $(modules_left_out); do echo "installed without $$m; its library's -dev package is missing ('make deps' installs it)" >&2; done
	$(call install_dir,$(BINDIR))
	$(call install_dir,$(LIBDIR)/alation-cred)
	$(call install_dir,$(LIBDIR)/alation-cred/modules)
	$(call install_dir,$(LIBDIR)/pkgconfig)
	$(call install_dir,$(INCLUDEDIR)/alation-cred)
	$(call install_dir,$(DATADIR)/doc/alation-cred)
	$(call install_dir,$(SYSTEMD_USER_DIR))
	$(foreach m,$(manuals),$(call install_dir,$(call man_dir,$m)) &&) true
	install -m 0755 $B/installed/alation-cred '$(DESTDIR)$(BINDIR)/alation-cred'
	ln -sfn alation-cred '$(DESTDIR)$(BINDIR)/git-credential-alation'
	install -m 0755 $B/installed/alation-cred-check-module '$(DESTDIR)$(BINDIR)/alation-cred-check-module'
	install -m 0755 $(client) '$(DESTDIR)$(LIBDIR)/alation-cred/alation.so'
	$(foreach m,$(modules),install -m 0755 $m '$(DESTDIR)$(LIBDIR)/alation-cred/modules/$(notdir $m)' &&) true
	install -m 0644 keyring/module.h '$(DESTDIR)$(INCLUDEDIR)/alation-cred/module.h'
	$(call install_pc,$(DESTDIR)$(LIBDIR)/pkgconfig/alation-cred.pc)
	install -m 0644 README.md docs/LICENSE docs/CHANGELOG.md docs/example-module.c docs/alation-cred.schema.json '$(DESTDIR)$(DATADIR)/doc/alation-cred/'
	$(call install_dir,$(DATADIR)/doc/alation-cred/ide)
	install -m 0644 docs/ide.md docs/recipes.md '$(DESTDIR)$(DATADIR)/doc/alation-cred/'
	install -m 0644 $(ide_examples) '$(DESTDIR)$(DATADIR)/doc/alation-cred/ide/'
	$(foreach m,$(manuals),install -m 0644 $m '$(DESTDIR)$(call man_dir,$m)/' &&) true
	$(foreach u,$(units),$(call install_unit,$u,$(DESTDIR)$(SYSTEMD_USER_DIR)/$(notdir $u)) &&) true
	$(foreach c,$(completions),$(call install_dir,$(dir $(call completion_place,$c))) && \
	    install -m 0644 docs/completion/$(call completion_file,$c) '$(DESTDIR)$(call completion_place,$c)' &&) true
uninstall: # what install laid down; modules of others stay, and so does their directory then
	rm -f '$(DESTDIR)$(BINDIR)/alation-cred' '$(DESTDIR)$(BINDIR)/git-credential-alation' \
	    '$(DESTDIR)$(BINDIR)/alation-cred-check-module' \
	    $(foreach m,$(manuals),'$(DESTDIR)$(call man_dir,$m)/$(notdir $m)') '$(DESTDIR)$(LIBDIR)/alation-cred/alation.so' \
	    $(foreach m,$(shared_modules),'$(DESTDIR)$(LIBDIR)/alation-cred/modules/$m.so') '$(DESTDIR)$(INCLUDEDIR)/alation-cred/module.h' \
	    '$(DESTDIR)$(LIBDIR)/pkgconfig/alation-cred.pc' \
	    $(foreach f,README.md LICENSE CHANGELOG.md example-module.c alation-cred.schema.json,'$(DESTDIR)$(DATADIR)/doc/alation-cred/$f') \
	    $(foreach f,ide.md recipes.md $(ide_examples:docs/%=%),'$(DESTDIR)$(DATADIR)/doc/alation-cred/$f') \
	    $(foreach u,$(units),'$(DESTDIR)$(SYSTEMD_USER_DIR)/$(notdir $u)') $(foreach c,$(completions),'$(DESTDIR)$(call completion_place,$c)')
	-rmdir '$(DESTDIR)$(LIBDIR)/alation-cred/modules' '$(DESTDIR)$(LIBDIR)/alation-cred' '$(DESTDIR)$(INCLUDEDIR)/alation-cred' \
	    '$(DESTDIR)$(DATADIR)/doc/alation-cred/ide' '$(DESTDIR)$(DATADIR)/doc/alation-cred' 2>/dev/null

clean:
	rm -rf $B
