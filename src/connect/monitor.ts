/** The monitoring port of a server in its pod, through kubectl. */
import { ConnectionFailure } from "../jetstream/api.ts";
import { forwardPodPort, type PodPort } from "./kubectl.ts";

export interface Monitored {
  /** Of HTTP. */
  readonly status: number;
  readonly body: unknown;
}

/** Milliseconds for one answer. */
const PATIENCE = 10_000;

/** Asks each path once. @throws ConnectionFailure where nobody answers */
export async function askMonitor(pod: PodPort, paths: readonly string[]): Promise<readonly Monitored[]> {
  await using forward = await forwardPodPort(pod);
  const answers: Monitored[] = [];
  for (const path of paths) {
    try {
      const response = await fetch(`http://127.0.0.1:${forward.port}${path}`, {
        signal: AbortSignal.timeout(PATIENCE),
      });
      answers.push({ status: response.status, body: await response.json() });
    } catch (cause) {
      throw new ConnectionFailure(`asking ${pod.pod} for ${path}: ${(cause as Error).message}. Is the pod running?`, {
        cause,
      });
    }
  }
  return answers;
}
