/** What a run did, step by step, with times. */

export interface Step {
  readonly name: string;
  readonly outcome: "done" | "failed";
  readonly seconds: number;
  readonly says: readonly string[];
}

export interface Steps {
  /** Runs a step and keeps what it says and how it ended. */
  run<T>(name: string, work: (say: (text: string) => void) => Promise<T>): Promise<T>;
  readonly all: readonly Step[];
}

/** @param progress told of every word as it is said */
export function keepSteps(progress: (step: string, text: string) => void): Steps {
  const all: Step[] = [];
  return {
    all,
    async run(name, work) {
      const began = Date.now();
      const says: string[] = [];
      const say = (text: string) => {
        says.push(text);
        progress(name, text);
      };
      const end = (outcome: Step["outcome"]) => {
        all.push({ name, outcome, seconds: Math.round((Date.now() - began) / 1_000), says });
      };
      try {
        const result = await work(say);
        end("done");
        return result;
      } catch (error) {
        say(`failed: ${(error as Error).message}`);
        end("failed");
        throw error;
      }
    },
  };
}
