// Least squares and logistic regression of a few coefficients.

/** One observation: its features (1 for a constant) and what was observed. */
export interface Observation {
  features: readonly number[];
  value: number;
}

/** The coefficients that minimise the squared error. */
export function leastSquares(observations: readonly Observation[]): number[] {
  const size = observations[0]?.features.length ?? 0;
  const normal = new NormalEquations(size);
  for (const { features, value } of observations) normal.add(features, 1, value);
  return normal.solve();
}

/** The coefficients of the log odds of `value` (0 or 1) that maximise its likelihood, by Newton's
 * method. */
export function logistic(observations: readonly Observation[]): number[] {
  const size = observations[0]?.features.length ?? 0;
  let coefficients = new Array<number>(size).fill(0);
  for (let round = 0; round < 30; round++) {
    const normal = new NormalEquations(size);
    for (const { features, value } of observations) {
      const share = sigmoid(dot(coefficients, features));
      normal.add(features, share * (1 - share) + 1e-9, value - share);
    }
    const step = normal.solve();
    coefficients = coefficients.map((c, i) => c + (step[i] as number));
    if (step.every((change) => Math.abs(change) < 1e-6)) break;
  }
  return coefficients;
}

/** Mean of -ln(likelihood) per observation. */
export function logLoss(
  observations: readonly Observation[],
  coefficients: readonly number[],
): number {
  const sum = observations.reduce((total, { features, value }) => {
    const odds = dot(coefficients, features);
    return total + Math.log1p(Math.exp(-Math.abs(odds))) + Math.max(odds, 0) - value * odds;
  }, 0);
  return sum / observations.length;
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Σ weight · x xᵀ on the left, Σ y x on the right. */
class NormalEquations {
  readonly #rows: number[][];

  constructor(size: number) {
    this.#rows = Array.from({ length: size }, () => new Array<number>(size + 1).fill(0));
  }

  add(x: readonly number[], weight: number, y: number): void {
    x.forEach((xi, i) => {
      const row = this.#rows[i] as number[];
      x.forEach((xj, j) => {
        row[j] = (row[j] as number) + weight * xi * xj;
      });
      row[x.length] = (row[x.length] as number) + y * xi;
    });
  }

  /** Gauss-Jordan elimination with pivoting; destroys the equations. */
  solve(): number[] {
    const rows = this.#rows;
    rows.forEach((_, column) => {
      const rest = rows
        .slice(column)
        .sort((a, b) => Math.abs(b[column] ?? 0) - Math.abs(a[column] ?? 0));
      rows.splice(column, rest.length, ...rest);
      const pivot = rows[column] as number[];
      rows.forEach((row, i) => {
        if (i === column) return;
        const factor = (row[column] as number) / (pivot[column] as number);
        row.forEach((value, j) => {
          row[j] = value - factor * (pivot[j] as number);
        });
      });
    });
    return rows.map((row, i) => (row[rows.length] as number) / (row[i] as number));
  }
}
