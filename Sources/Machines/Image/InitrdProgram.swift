// SPDX-License-Identifier: Apache-2.0

/// The first program that the kernel runs. All it does is to find the root, to have it checked, and to go there.
enum InitrdProgram {
    /// A script for BusyBox's shell (BusyBox 1.35).
    ///
    /// What dm-verity is told comes from the measured command line and from here. The disk says nothing about itself
    /// that would be believed; a superblock that a host wrote would be. A block that is not what the root hash says stops
    /// the kernel, which ends the machine (`panic=-1`); every other failure powers off. There is no shell for anybody.
    static let script = """
        #!/bin/busybox sh
        # SPDX-License-Identifier: Apache-2.0
        bb=/bin/busybox

        off() {
            echo "cupel-initrd: error: $1" >/dev/console
            $bb poweroff -n -f
            while :; do $bb sleep 1; done
        }

        $bb mount -t devtmpfs devtmpfs /dev && $bb mount -t proc proc /proc && $bb mount -t sysfs sysfs /sys ||
            off 'the system folders could not be mounted'
        for module in $($bb cat /modules/required); do
            $bb insmod "/modules/$module" || off "the module $module could not be loaded"
        done
        for module in $($bb cat /modules/optional); do $bb insmod "/modules/$module" 2>/dev/null; done

        hash= offset=
        for word in $($bb cat /proc/cmdline); do
            case $word in
            cupel.roothash=*) hash=${word#*=} ;;
            cupel.hashoffset=*) offset=${word#*=} ;;
            esac
        done
        [ -n "$hash" ] && [ -n "$offset" ] || off 'the command line names no root'

        # The kernel looks for disks while this runs: 30 seconds, no longer.
        disk= tries=300
        while [ -z "$disk" ]; do
            for serial in /sys/block/*/serial; do
                [ "$($bb cat "$serial" 2>/dev/null)" = cupel-root ] || continue
                disk=${serial%/serial}
                disk=/dev/${disk##*/}
            done
            tries=$((tries - 1))
            [ -n "$disk" ] || [ "$tries" -gt 0 ] || off 'there is no disk with the serial number cupel-root'
            [ -n "$disk" ] || $bb usleep 100000
        done

        block=\(ImageFormat.block) blocks=$((offset / \(ImageFormat.block)))
        /sbin/dmsetup create root --readonly --noudevrules --noudevsync --table \\
            "0 $((offset / 512)) verity 1 $disk $disk $block $block $blocks $((blocks + 1)) sha256 $hash \\
        \(ImageFormat.veritySalt) 1 panic_on_corruption" || off 'the root could not be set up'
        $bb mount -t erofs -o ro,nodev /dev/dm-0 /root || off 'the root could not be mounted'
        for folder in dev proc sys; do
            $bb mount --move "/$folder" "/root/$folder" || off 'the system folders could not be moved'
        done
        exec $bb switch_root /root \(GuestInit.path)
        off 'the root could not be entered'

        """
}
