import { streams as audit } from "./audit.ts";
import { streams as deadLetters } from "./dead-letters.ts";
import { streams as iot } from "./iot.ts";
import { streams as oms } from "./oms.ts";
import { streams as sync } from "./sync.ts";

/** Every stream by the file that defines it. */
export const streams = { iot, oms, "dead-letters": deadLetters, audit, sync };
