/** Settings of the Go runtime that follow from a container's limits; Go does not read memory limits by itself. */
import { MiB } from "../units.ts";

/** Go's soft memory limit: 80 % of the container's, so that the collector works before the kernel kills. In MiB. */
export const goMemoryLimit = (limitBytes: number): number => Math.floor((limitBytes * 0.8) / MiB);
