namespace ControlPlane.Tests.Conformance;

/// <summary>Traces of the grammar, and traces that are almost of the grammar.</summary>
public static class Traces
{
    static readonly Move[] Productions =
    [
        Move.PC, Move.PU, Move.PP, Move.NC, Move.CN, Move.NU, Move.SV, Move.SC, Move.RS, Move.RC, Move.DC, Move.ND, Move.PT, Move.PD,
    ];

    /// <summary>Each number chooses among what the grammar allows next.</summary>
    public static List<TraceMove> Legal(Kind kind, IEnumerable<byte> choices)
    {
        var oracle = new PortOracle(kind);
        var trace = new List<TraceMove>();
        foreach (var choice in choices)
        {
            TraceMove[] legal = [.. Steps(kind).Where(oracle.Legal)];
            var step = legal[choice % legal.Length];
            oracle.Take(step);
            trace.Add(step);
        }
        return trace;
    }

    /// <summary>Swaps neighbours, drops, doubles, repeats elsewhere, or inserts a refusal, a hold, a load, the other series or a restart; two numbers for each change.</summary>
    public static List<TraceMove> Mutated(List<TraceMove> trace, byte[] changes)
    {
        for (var n = 0; n + 1 < changes.Length && trace.Count > 1; n += 2)
        {
            var at = changes[n + 1] % (trace.Count - 1);
            switch (changes[n] % 9)
            {
                case 0:
                    (trace[at], trace[at + 1]) = (trace[at + 1], trace[at]);
                    break;
                case 1:
                    trace.RemoveAt(at);
                    break;
                case 2:
                    trace.Insert(at, trace[at]);
                    break;
                case 3:
                    trace.Insert(at, new TraceMove(Move.Refuse));
                    break;
                case 4:
                    InsertBeforeTheEnd(trace, at, Move.HoldPort, Move.HoldNic, Move.Release);
                    break;
                case 5:
                    InsertBeforeTheEnd(trace, at, Move.Load, Move.Load, Move.Unload);
                    break;
                case 6:
                    trace.Insert(at, trace[changes[n] / 9 % trace.Count]);
                    break;
                case 7:
                    InsertIntoSeries(trace, at);
                    break;
                default:
                    trace.Insert(at, new TraceMove(Move.Restart));
                    break;
            }
        }
        return trace;
    }

    /// <summary>Behind the next round of a save a round of a restore, and the other way round.</summary>
    static void InsertIntoSeries(List<TraceMove> trace, int at)
    {
        var next = trace.FindIndex(at, step => step.Move is Move.SV or Move.RS);
        if (next >= 0)
        {
            trace.Insert(next + 1, trace[next] with { Move = trace[next].Move == Move.SV ? Move.RS : Move.SV });
        }
    }

    /// <summary>Before the next DC or PT: held or loaded, and let go one step after the DELETE that it must defer.</summary>
    static void InsertBeforeTheEnd(List<TraceMove> trace, int at, Move onPort, Move onNic, Move end)
    {
        var next = trace.FindIndex(at, step => step.Move is Move.DC or Move.PT);
        if (next < 0)
        {
            return;
        }
        var step = trace[next];
        trace.Insert(Math.Min(trace.Count, next + 2), new TraceMove(end, step.Index));
        trace.Insert(next, new TraceMove(step.Move == Move.DC ? onNic : onPort, step.Index));
    }

    static IEnumerable<TraceMove> Steps(Kind kind) => Productions.SelectMany(move =>
        move is >= Move.NC and <= Move.ND && kind == Kind.External
            ? new[] { 0, 1, 2 }.Select(index => new TraceMove(move, index))
            : [new TraceMove(move)]);
}
