#!/bin/sh
# Stands between cargo and rustc: writes down how cargo would compile a module's library, with the
# variables that cargo has set for it. What cargo itself was started with stays where it is: it may
# hold secrets.
# A module that nothing links to is then left uncompiled: the recorded command will do it.
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
        case " $PLAYGROUND_CAPTURE_ONLY " in
        *" $CARGO_PKG_NAME "*) exit 1 ;;
        esac
    fi
    ;;
esac
exec "$@"
