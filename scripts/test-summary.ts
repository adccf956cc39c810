/**
 * Reads what `tap run --reporter=tap` prints, shows what failed or was skipped, and closes with one
 * line that counts the behaviours that were tested: `N passed, N failed, N skipped`.
 *
 * Behaviours are the tests of a file; what is asserted within one of them counts once. A file that
 * fails as a whole (it crashed, or ran no test) counts as one failure.
 */
import { Parser, type Result } from 'tap-parser';

const counts = { passed: 0, failed: 0, skipped: 0 };

function count(file: string, { ok, skip, name, diag }: Result): void {
  if (skip) {
    counts.skipped++;
    console.log(`skipped: ${file}: ${name}${typeof skip === 'string' ? `: ${skip}` : ''}`);
  } else if (ok) {
    counts.passed++;
  } else {
    counts.failed++;
    console.log(`FAILED: ${file}: ${name}`);
    if (diag) console.log(diag);
  }
}

const files = new Parser();
files.on('child', (file: Parser) => {
  let failed = 0;
  let tests = 0;
  file.on('child', (test: Parser) => {
    test.on('assert', (result: Result) => {
      if (!result.ok && !result.skip && !result.todo)
        console.log(`FAILED: ${test.fullname}: ${result.name}`, result.diag);
    });
  });
  file.on('assert', (result: Result) => {
    tests++;
    if (!result.ok) failed++;
    count(file.name, result);
  });
  file.on('complete', ({ ok, bailout }) => {
    console.log(`${ok ? 'ok' : 'not ok'} ${file.name}: ${tests} tests`);
    if ((!ok && failed === 0) || tests === 0) {
      counts.failed++;
      console.log(`FAILED: ${file.name}: ended without a result ${bailout || ''}`);
    }
  });
});
files.on('assert', (result: Result) => {
  if (!result.ok && result.diag) console.log(`${result.name}:`, result.diag);
});
files.on('complete', () => {
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
});
process.stdin.pipe(files);
