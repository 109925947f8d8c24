#!/bin/sh
# Stands between cargo and rustc: writes down how cargo would compile a module's library, with the
# variables that cargo has set for it. What cargo itself was started with stays where it is: it may
# hold secrets.
# Modules are left uncompiled: the recorded commands will do it. cargo goes on with the dependents of a
# core only if that succeeds. Without its files, it compiles the core when it is asked to the next time.
case " $PLAYGROUND_CAPTURE " in
*" $CARGO_PKG_NAME "*)
    # The module's build script is a crate of the same package.
    library=$(printf %s "$CARGO_PKG_NAME" | tr - _)
    if [ "$2" = --crate-name ] && [ "$3" = "$library" ]; then
        record="$PLAYGROUND_CAPTURE_DIR/$CARGO_PKG_NAME"
        {
            printf '%s\0' "$PWD" "$#" "$@"
            # Also where the game was started by cargo, which had set them already.
            printf 'LD_LIBRARY_PATH=%s\0' "$LD_LIBRARY_PATH"
            printf 'RUSTUP_TOOLCHAIN=%s\0' "$RUSTUP_TOOLCHAIN"
            env -0 | LC_ALL=C sort -z | {
                exec 3<&0
                LC_ALL=C sort -z "/proc/$PPID/environ" | LC_ALL=C comm -z -13 - /dev/fd/3
            }
        } >"$record.part" && mv "$record.part" "$record.captured"
        case " $PLAYGROUND_CAPTURE_CORES " in
        *" $CARGO_PKG_NAME "*) ;;
        *) exit 1 ;;
        esac
        folder='' extra=''
        while [ $# -gt 0 ]; do
            case "$1" in
            --out-dir) folder=$2 ;;
            extra-filename=*) extra=${1#extra-filename=} ;;
            esac
            shift
        done
        [ -n "$folder" ] || exit 1
        rm -f "$folder/lib$library$extra.rlib" "$folder/lib$library$extra.rmeta" || exit 1
        exit 0
    fi
    ;;
esac
exec "$@"
