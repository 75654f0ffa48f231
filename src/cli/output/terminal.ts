/** Results go to stdout, everything else to stderr. */
import pc from "picocolors";

type Colours = ReturnType<typeof pc.createColors>;

export const print = (text: string): void => write(process.stdout, text);
export const log = (text: string): void => write(process.stderr, text);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

function write(stream: NodeJS.WriteStream, text: string): void {
  if (text !== "") stream.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** How text for `stream` is set: colours on a terminal only (picocolors' own choice would colour CI logs and pipes there). */
export interface Look {
  readonly colours: Colours;
  /** Columns that prose is wrapped at. */
  readonly width: number;
}

export function lookOf(stream: NodeJS.WriteStream): Look {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const coloured = NO_COLOR ? false : FORCE_COLOR ? FORCE_COLOR !== "0" : stream.isTTY === true && TERM !== "dumb";
  return { colours: pc.createColors(coloured), width: Math.min(stream.columns ?? 100, 100) };
}

/** For files, whatever this runs on. */
export const plainLook: Look = { colours: pc.createColors(false), width: 100 };

/** `circl explain --all | head` closes the pipe early: that is no failure. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
