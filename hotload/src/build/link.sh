#!/bin/sh
# Links a module without the libraries that the host has loaded: they would be searched through at
# every link, and inspection looks for each undefined symbol in the host in any case.
# Only PLAYGROUND_MODULE is exported, so that what nothing refers to is left out. Names of functions
# stay: what a panic on the stack was in the middle of is told by them.
: >"$PLAYGROUND_LINK_STARTED"
n=$#
while [ "$n" -gt 0 ]; do
    argument=$1
    shift
    n=$((n - 1))
    case "$argument" in
    -o | -z)
        set -- "$@" "$argument" "$1"
        shift
        n=$((n - 1))
        ;;
    -L)
        shift
        n=$((n - 1))
        ;;
    -l* | -L* | *.so | -Bstatic | -Bdynamic | --as-needed) ;;
    # Of a core whose library is not finished yet; it is when this is linked.
    */metadata-only/lib*.rlib) set -- "$@" "${argument%/metadata-only/*}/${argument##*/}" ;;
    */rmeta.o | */symbols.o | --version-script=* | --no-undefined-version) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
# Keeps the module's own object files with these arguments, for a link with other cores.
keep() {
    [ -n "$PLAYGROUND_OBJECTS" ] || return 0
    rm -rf "$PLAYGROUND_OBJECTS" && mkdir "$PLAYGROUND_OBJECTS" || return 0
    printf '%s\n' "$@" --version-script="$PLAYGROUND_EXPORTS" \
        --gc-sections --strip-debug --unresolved-symbols=ignore-all >"$PLAYGROUND_OBJECTS/arguments"
    n=$#
    while [ "$n" -gt 0 ]; do
        argument=$1
        shift
        n=$((n - 1))
        case "$argument" in *.rcgu.o) set -- "$@" "$argument" ;; esac
    done
    ln -- "$@" "$PLAYGROUND_OBJECTS" || rm -rf "$PLAYGROUND_OBJECTS"
}
keep "$@" &
# Linked from what is kept, once all cores have their libraries.
if [ -z "$PLAYGROUND_LINK_LATER" ]; then
    "$PLAYGROUND_LLD" "$@" --version-script="$PLAYGROUND_EXPORTS" \
        --gc-sections --strip-debug --unresolved-symbols=ignore-all || exit
fi
wait
