-- The states of states.py, in Murphi: 4 threads of 4 increments each.
const
  THREADS: 4;
  TIMES: 4;
type
  thread: 1 .. THREADS;
var
  word: 0 .. THREADS * TIMES;
  seen: array[thread] of 0 .. THREADS * TIMES;
  left: array[thread] of 0 .. TIMES;
  loaded: array[thread] of boolean;

startstate begin
  word := 0;
  for t: thread do seen[t] := 0; left[t] := TIMES; loaded[t] := false; end;
end;

ruleset t: thread do
  rule "load" left[t] > 0 & !loaded[t] ==> begin
    seen[t] := word;
    loaded[t] := true;
  end;
  rule "compare and swap" left[t] > 0 & loaded[t] ==> begin
    if word = seen[t] then
      word := word + 1;
      left[t] := left[t] - 1;
    end;
    seen[t] := 0;
    loaded[t] := false;
  end;
end;

invariant "no lost update"
  (exists t: thread do left[t] > 0 end) | word = THREADS * TIMES;
