import type { JSX } from "preact";
import type { Asked } from "../state/repeated";
import { sentence } from "../words";
import { Ago } from "./ago";

interface Props {
  asked: Asked<unknown>;
  /** said until the first answer */
  before: string;
  /** said of an answer */
  after: string;
}

/** That it is asked for; of an answer that is missing, why, and how old the one is that stands here. */
export function Asking({ asked: { found, at, problem }, before, after }: Props): JSX.Element {
  return (
    <>
      {problem === null ? (
        found === null ? before : after
      ) : (
        at !== null && (
          <>
            As it was <Ago at={at} />.{" "}
          </>
        )
      )}
      <span role="status" class="problem">
        {problem !== null && `${sentence(problem)} Asked again each minute.`}
      </span>
    </>
  );
}
