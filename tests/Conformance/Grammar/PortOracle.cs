namespace ControlPlane.Tests.Conformance;

/// <summary>What a trace is made of: OIDs by their letters in switch.md 11, and what happens around them.</summary>
public enum Move
{
    PC, PU, PP,
    NC, CN, NU,
    /// <summary>NIC_SAVE and NIC_SAVE_COMPLETE: NS of the grammar is a series of the one and one of the other.</summary>
    SV, SC,
    /// <summary>NIC_RESTORE and NIC_RESTORE_COMPLETE, likewise NR.</summary>
    RS, RC,
    DC, ND,
    PT, PD,
    HoldPort, HoldNic, Release, Load, Unload,
    /// <summary>The next OID, if it may be refused and is legal, is refused by an extension.</summary>
    Refuse,
    /// <summary>All memory is lost.</summary>
    Restart,
}

public sealed record TraceMove(Move Move, int Index = 0)
{
    public override string ToString() => Index == 0 ? $"{Move}" : $"{Move}({Index})";
}

public enum Kind
{
    Vm,
    External,
    Validation,
}

public enum Expected
{
    Done,
    RefusedByExtension,
    Rejected,
}

/// <summary>
/// The grammar of switch.md 11 with the gates of 3.6, as an oracle of its own:
/// PC (PX)* ( NC(i) [ CN(i) (NU(i) | NS | NR)* DC(i) ] ND(i) )* PT PD with NS = SV+ SC and NR = RS+ RC, at most one of them
/// open per NIC, groups of different indices of an external port interleaved under G7 and G8. A DC takes effect when it is
/// received (switch.md 3.3): it is legal within a series, and ends it.
/// </summary>
public sealed class PortOracle(Kind kind)
{
    readonly SortedDictionary<int, string> _nics = [];
    readonly Dictionary<int, Move> _series = [];
    readonly List<int?> _holds = [];
    readonly HashSet<int> _loaded = [];
    bool _refuse;

    public string Port { get; private set; } = "NotCreated";

    public string Nic(int index) => _nics.GetValueOrDefault(index, "Absent");

    /// <summary>SV or RS while a series of them is open.</summary>
    public Move? Series(int index) => _series.TryGetValue(index, out var open) ? open : null;

    /// <summary>The group of the oldest hold, for whoever has to release it.</summary>
    public int HoldsTaken { get; private set; }

    /// <summary>Legal by grammar and gates.</summary>
    public bool Legal(TraceMove step)
    {
        var (i, others) = (step.Index, step.Index == 0 && _nics.Keys.Any(index => index > 0));
        return step.Move switch
        {
            Move.PC => Port == "NotCreated",
            Move.PU => Port == "Created",
            Move.PP => Port != "NotCreated",
            Move.NC => Port == "Created" && !_nics.ContainsKey(i) && (i == 0 || (kind == Kind.External && _nics.ContainsKey(0))) && kind != Kind.Validation,
            Move.CN => Nic(i) == "Created" && (i == 0 || Nic(0) == "Connected"),
            Move.NU => Nic(i) == "Connected",
            Move.SV or Move.RS => Nic(i) == "Connected" && Series(i) is var open && (open is null || open == step.Move),
            Move.SC => Series(i) == Move.SV,
            Move.RC => Series(i) == Move.RS,
            Move.DC => Nic(i) == "Connected" && !others,
            Move.ND => Nic(i) is "Created" or "Disconnected" && !others && !_holds.Contains(i) && !_loaded.Contains(i),
            Move.PT => Port == "Created" && _nics.Count == 0,
            Move.PD => (Port == "TearingDown" || (Port == "Created" && kind == Kind.Validation)) && !_holds.Contains(null),
            Move.HoldPort => Port == "Created",
            Move.HoldNic => Nic(i) == "Connected",
            Move.Release => _holds.Count > 0,
            Move.Load or Move.Unload => _nics.ContainsKey(i),
            _ => true,
        };
    }

    public Expected Take(TraceMove step)
    {
        if (!Legal(step))
        {
            return Expected.Rejected;
        }
        if (_refuse && (step.Move == Move.PC || step is { Move: Move.NC, Index: 0 }))
        {
            _refuse = false;
            return Expected.RefusedByExtension;
        }
        switch (step.Move)
        {
            case Move.PC: Port = "Created"; break;
            case Move.NC: _nics[step.Index] = "Created"; break;
            case Move.CN: _nics[step.Index] = "Connected"; break;
            case Move.SV or Move.RS: _series[step.Index] = step.Move; break;
            case Move.SC or Move.RC: _series.Remove(step.Index); break;
            case Move.DC: _nics[step.Index] = "Disconnected"; _series.Remove(step.Index); break;
            case Move.ND: _nics.Remove(step.Index); break;
            case Move.PT: Port = "TearingDown"; break;
            case Move.PD: Port = "NotCreated"; break;
            case Move.HoldPort: _holds.Add(null); HoldsTaken++; break;
            case Move.HoldNic: _holds.Add(step.Index); HoldsTaken++; break;
            case Move.Release: _holds.RemoveAt(0); break;
            case Move.Load: _loaded.Add(step.Index); break;
            case Move.Unload: _loaded.Remove(step.Index); break;
            case Move.Refuse: _refuse = true; break;
        }
        return Expected.Done;
    }
}
