/**
 * How a server shares out its memory and its processors. Measured on 1.37.0 with a limit of 512 MiB:
 *
 * `maxmemory` is compared with Go's heap, garbage included, every 4 s, and above it every SET is refused (server.go,
 * checkOutOfMemory). So the collector has to work before that, and GOMEMLIMIT lies below maxmemory: with 90 % and 70 %, and 41 %
 * of the limit alive, two writes of three were refused; with GOMEMLIMIT below maxmemory none.
 *
 * The process is larger than its heap. Full up to a maxmemory of 70 % it held 87 % of its limit, and 96 % while eight clients
 * read 1000 objects at a time; with 75 % and 5000 objects it went past the limit, where the kernel kills it.
 */
import type { Environment } from "../model/environment.ts";
import { MiB } from "../units.ts";

type Member = Pick<Environment["tile38"]["leader"], "cpu" | "memory">;

const COLLECTED_ABOVE = 0.65;
const REFUSED_ABOVE = 0.7;

/** `maxmemory` in bytes. Only for the leader: a follower that refuses what it is sent never catches up. */
export const maxMemory = ({ memory }: Member): number => Math.floor(memory * REFUSED_ABOVE);

/** Heap, in bytes, above which the collector works all the time. */
export const collectedAbove = ({ memory }: Member): number => Math.floor((memory * COLLECTED_ABOVE) / MiB) * MiB;

/**
 * Tile38 is built with the settings of Go 1.24 and takes all processors of the node. Requested CPU rounded up, and two at
 * least: one serves while the other collects garbage. There is no CPU limit, so more is used where the node is idle.
 */
export const processors = ({ cpu }: Member): number =>
  Math.max(2, Math.ceil(cpu.endsWith("m") ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu)));
