#!/bin/sh
# Stands between cargo and rustc: writes down how cargo would compile a module's library.
# A module that nothing links to is then left uncompiled: the recorded command will do it.
case " $PLAYGROUND_CAPTURE " in
*" $CARGO_PKG_NAME "*)
    if [ "$2" = --crate-name ] && [ "$3" = "$CARGO_CRATE_NAME" ]; then
        record="$PLAYGROUND_CAPTURE_DIR/$CARGO_PKG_NAME"
        {
            printf '%s\0' "$PWD" "$#" "$@"
            env -0
        } >"$record.part" && mv "$record.part" "$record.captured"
        case " $PLAYGROUND_CAPTURE_ONLY " in
        *" $CARGO_PKG_NAME "*) exit 1 ;;
        esac
    fi
    ;;
esac
exec "$@"
