# The components that tests run against, in one place. Sourced by test/install.sh.
DEBIAN_PACKAGES=(jq gawk nginx-light curl)
declare -A PACKAGE_COMMAND=([jq]=jq [gawk]=gawk [nginx-light]=nginx [curl]=curl)

# Components that come from elsewhere are unpacked into one folder, each under its name and version. Tests look there too:
# component in test/envoy_test.go.
COMPONENTS=${SESHAT_COMPONENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/seshat-components}

# Envoy: the Python package has nothing but the binary.
ENVOY_VERSION=1.40.0
ENVOY_FOLDER=$COMPONENTS/envoy-$ENVOY_VERSION # the binary is envoy/_bin/envoy in it
