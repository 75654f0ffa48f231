/** What an environment must live through. */
import type { Subject } from "./smoke.ts";
import { checkStreams } from "./smoke.ts";

export async function killServer(subject: Subject): Promise<string> {
  return checkStreams(subject);
}
export async function rollServers(subject: Subject): Promise<string> {
  return checkStreams(subject);
}
