/** Progress of an apply: a bar that is drawn over on a terminal, a line for each change elsewhere. */
import type { Applied } from "../../jetstream/order.ts";
import { visible } from "./visible.ts";

const PAST = { create: "created", update: "updated", recreate: "recreated", delete: "deleted" } as const;
const WIDTH = 24;
const CLEAR = "\r\x1b[K";

interface Progress {
  readonly step: (name: string, action: Applied["action"]) => void;
  /** Writes a line of its own, above the bar. */
  readonly say: (text: string) => void;
  /** Takes the bar away, so that what follows begins on a clean line. */
  readonly stop: () => void;
}
type Output = Pick<NodeJS.WritableStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

/**
 * @param total changes to come
 * @param term $TERM; a dumb terminal cannot draw over
 */
export function progressOn(stream: Output, total: number, term = process.env.TERM): Progress {
  let count = 0;
  const line = (name: string, action: Applied["action"]) => `${++count}/${total} ${PAST[action]} ${visible(name)}`;
  const say = (text: string) => stream.write(`${text}\n`);
  if (!stream.isTTY || term === "dumb") {
    return { step: (name, action) => say(line(name, action)), say, stop: () => {} };
  }
  let bar = "";
  const draw = (text: string) => {
    // A line that wraps is not taken away by clearing; in the last column some terminals wrap already.
    bar = text.slice(0, Math.max(0, (stream.columns ?? 80) - 1));
    stream.write(`${CLEAR}${bar}`);
  };
  return {
    step: (name, action) => {
      const text = line(name, action);
      const filled = Math.round((count / total) * WIDTH);
      draw(`[${"=".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${text}`);
    },
    say: (text) => {
      stream.write(bar === "" ? `${text}\n` : `${CLEAR}${text}\n${bar}`);
    },
    stop: () => {
      if (bar !== "") stream.write(CLEAR);
      bar = "";
    },
  };
}
