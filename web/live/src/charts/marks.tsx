/** Marks made of the page's own elements: every one can be reached, read and pressed without a mouse. */

import type { ButtonHTMLAttributes, JSX } from "preact";

export interface Mark {
  key: string;
  name: string;
  /** the number in full, with its unit and its count of sales */
  says: string;
  /** the number in short, beside the mark */
  short: string;
  value: number;
  chosen: boolean;
}

interface Props {
  marks: Mark[];
  /** what a full mark means; the greatest value where nothing is said */
  most?: number;
  label: string;
  pick: (key: string) => void;
  point: (mark: Mark | null) => void;
}

const any = (marks: Mark[]): boolean => marks.some((mark) => mark.chosen);

function asked(mark: Mark, { pick, point }: Props): ButtonHTMLAttributes {
  return {
    onClick: () => {
      pick(mark.key);
    },
    onPointerEnter: () => {
      point(mark);
    },
    onFocus: () => {
      point(mark);
    },
    onPointerLeave: () => {
      point(null);
    },
    onBlur: () => {
      point(null);
    },
  };
}

const share = (mark: Mark, marks: Mark[], most: number | undefined): number => {
  const full = most ?? Math.max(0, ...marks.map(({ value }) => value));
  return full > 0 ? Math.max(0, mark.value) / full : 0;
};

/** Horizontal bars, each with its name and its number. */
export function Bars(props: Props): JSX.Element {
  const { marks, most, label } = props;
  return (
    <ul class={`bars${any(marks) ? " some" : ""}`} aria-label={label}>
      {marks.map((mark) => (
        <li key={mark.key}>
          <button type="button" class="mark" aria-pressed={mark.chosen} aria-description={mark.says} {...asked(mark, props)}>
            <span class="name">{mark.name}</span>
            <span class="rail">
              <span class="bar" style={{ transform: `scaleX(${share(mark, marks, most)})` }} />
            </span>
            <span class="amount">{mark.short}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Upright bars under one another's line of sight, for hours and days. */
export function Columns(props: Props): JSX.Element {
  const { marks, most, label } = props;
  return (
    <ul class={`columns${any(marks) ? " some" : ""}`} aria-label={label}>
      {marks.map((mark) => (
        <li key={mark.key}>
          <button type="button" class="mark" aria-pressed={mark.chosen} aria-label={`${mark.name}: ${mark.says}`} {...asked(mark, props)}>
            <span class="rail">
              <span class="bar" style={{ transform: `scaleY(${share(mark, marks, most)})` }} />
            </span>
            <span class="name">{mark.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
