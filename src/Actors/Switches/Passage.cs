using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>One OID on its way down: what was said so far, and who is asked next. Lives for one turn.</summary>
sealed class Passage
{
    /// <summary>
    /// Characters of one thing that an extension keeps, and bytes of a feature's status that it answers; more is its fault,
    /// and is not taken.
    /// </summary>
    public const int KeptMax = 16 * 1024;

    /// <summary>Things that one OID may make one extension keep.</summary>
    public const int KeepsMax = 64;

    readonly SwitchState.Here _switch;
    readonly OidRequest _request;
    readonly NicRuntime? _runtime;
    readonly IReadOnlyDictionary<string, IExtension> _known;
    readonly IReadOnlyList<ExtensionDefinition> _order;
    readonly List<TraceStep> _trace;
    readonly List<ExtensionFault> _faults;
    readonly List<string> _uses;
    readonly List<KeptState> _keeps;
    readonly HashSet<string>? _left;
    readonly Originations _originations;
    readonly int _depth;
    int? _mtu;
    string? _owner;
    string? _restart;

    public Passage(
        SwitchState.Here s, OidRequest request, NicRuntime? runtime, IReadOnlyDictionary<string, IExtension> known,
        IReadOnlyList<ExtensionDefinition> order, StackVerdict soFar)
    {
        (_switch, _request, _runtime, _known, _order) = (s, request, runtime, known, order);
        (_trace, _faults, _uses, _keeps) = ([.. soFar.Trace], [.. soFar.Faults], [.. soFar.Used], [.. soFar.Keeps ?? []]);
        (_mtu, _owner, _restart) = (soFar.Mtu, soFar.Owner, soFar.RestartFor);
        _left = soFar.Pause is null ? null : [.. Stack.Attached(s).Select(ExtensionIds.Key)];
        _originations = new Originations(request, soFar);
    }

    /// <summary>An OID that an extension on the way of another sends down itself.</summary>
    Passage(Passage above, OidRequest request)
        : this(above._switch, request, null, above._known, above._order, StackVerdict.Empty) =>
        (_left, _originations, _depth) = (above._left, above._originations, above._depth + 1);

    /// <summary>Asks from this position on.</summary>
    public StackVerdict From(int position)
    {
        for (; position < _order.Count; position++)
        {
            if (Takes(position) && Take(position, Ask(position)) is { } end)
            {
                return end;
            }
        }
        return So();
    }

    /// <summary>The late answer counts as if it had been given at once, and the way goes on.</summary>
    public StackVerdict After(StackPause pause, ExtensionAnswer answer)
    {
        _trace.RemoveAt(_trace.Count - 1); // its own step, which waited
        return Take(pause.Position, answer) ?? From(pause.Position + 1);
    }

    public StackVerdict Without(StackPause pause, string why)
    {
        _faults.Add(
            new ExtensionFault(
                pause.Position, pause.Extension, "switch.md 3.7",
                $"{why} while {_request.Oid} was pending at it; the OID went on below it"));
        return From(pause.Position + 1);
    }

    /// <summary>An extension that was taken away while the OID was pending is not asked.</summary>
    bool Takes(int position) => _left?.Contains(ExtensionIds.Key(_order[position])) != false;

    ExtensionAnswer Ask(int position)
    {
        var extension = _order[position];
        var request = _mtu is null ? _request : _request with { Parameters = ((NicParameters)_request.Parameters!) with { Mtu = _mtu } };
        var view = Stack.View(_switch, position, extension) with
        {
            Runtime = _runtime,
            SavedRounds = SwitchRules.SavedRounds(_switch, request, extension),
            Sends = own => Originate(position, own),
            Tells = (port, index, status) => Indicate(position, port, index, status),
        };
        var answer = Stack.Contained(() => _known[extension.Name].Ask(request, view), out var defect);
        if (defect is not null)
        {
            _faults.Add(new ExtensionFault(position, extension.Name, "defect", $"failed at {_request.Oid}: {defect}"));
        }
        return answer ?? ExtensionAnswer.PassOn;
    }

    /// <summary>Takes an answer; not null when the OID ends or waits here.</summary>
    StackVerdict? Take(int position, ExtensionAnswer answer)
    {
        var extension = _order[position];
        if (answer.Uses is { } index)
        {
            _uses.Add(Stack.UseKey(position, index));
        }
        var lowers = answer.Mtu is { } wanted && MayLowerMtu(wanted);
        _faults.AddRange(
            ExtensionRights.Faults(_request, extension, answer, lowers).Select(
                fault => new ExtensionFault(position, extension.Name, fault.Rule, fault.Detail)));
        if (answer is { Completes: null, Pends: false } && _originations.Replaces(_request, position))
        {
            _faults.Add(
                new ExtensionFault(
                    position, extension.Name, "switch.md 2.8",
                        $"sent an OID of its own in place of {_request.Oid} and passed that on as well"));
        }
        _restart = answer.AsksRestart ? extension.Name : _restart;
        if (answer is { Completes: { } status } && ExtensionRights.MayComplete(_request, extension, answer))
        {
            Keep(position, extension, answer);
            Pass(position, extension, status);
            var saved = answer.Saves is { } data && status == NdisStatus.Success
                ? new NicBlob(ExtensionIds.Guid(extension), extension.Name, data)
                : null;
            return So() with
            {
                Completed = new CompletedBy(position, extension.Name, extension.Class, status, answer.Output, answer.BytesNeeded, saved),
                Owner = _owner ?? (answer.Owns ? extension.Name : null),
                Restores = answer.Restores,
            };
        }
        if (answer is { Completes: { } error and not NdisStatus.Success } && ExtensionRights.MayRefuse(_request, extension))
        {
            Pass(position, extension, error);
            return So() with { Refused = new RefusedBy(position, extension.Name, error) };
        }
        Pass(position, extension, NdisStatus.Pending);
        if (answer.Pends && _depth > 0)
        {
            _faults.Add(
                new ExtensionFault(
                    position, extension.Name, "originated.pended",
                        $"pended {_request.Oid}, which the extension above waits for in the same turn; the OID went on"));
        }
        else if (answer.Pends && _request.Oid.Direct)
        {
            _faults.Add(
                new ExtensionFault(
                    position, extension.Name, "switch.md 3.7", $"pended {_request.Oid}, which waits for nothing; the OID went on"));
        }
        else if (answer.Pends)
        {
            return So() with { Pause = new StackPause(position, extension.Name, _order) };
        }
        _mtu = lowers ? answer.Mtu : _mtu;
        _owner ??= answer.Owns && extension.Class != ExtensionClass.Capture ? extension.Name : null;
        Keep(position, extension, answer);
        return null;
    }

    /// <summary>
    /// An extension sends an OID of its own down from below its place: a traversal inside this one, not a second slot
    /// (switch.md 9.3.1). What others say on its way counts as if they had said it to the OID from above.
    /// </summary>
    OriginatedAnswer Originate(int position, OidRequest wanted)
    {
        var extension = _order[position];
        if (OneTooMany(position, $"{wanted.Oid}"))
        {
            return new OriginatedAnswer(NdisStatus.Resources);
        }
        if (ExtensionRights.Origination(_switch, _request, wanted, extension) is { } broken)
        {
            _faults.Add(new ExtensionFault(position, extension.Name, broken.Rule, broken.Detail));
            return new OriginatedAnswer(NdisStatus.NotSupported);
        }
        var request = wanted with { RequestId = _originations.Begin(_request, wanted, position, extension.Name) };
        if (_originations.Withheld(_switch, request) is { } withheld)
        {
            _originations.End(request.RequestId, withheld, []);
            return new OriginatedAnswer(withheld);
        }
        var below = new Passage(this, request);
        var verdict = below.From(position + 1);
        var answer = verdict switch
        {
            { Refused: { } by } => new SwitchAnswer(by.Status),
            { Completed: { } by } => new SwitchAnswer(by.Status, by.Output, by.BytesNeeded),
            _ => SwitchAnswer.To(_switch, request),
        };
        _originations.End(request.RequestId, answer.Status, Stack.WholeTrace(verdict, answer.Status));
        _faults.AddRange(verdict.Faults);
        _uses.AddRange(verdict.Used);
        _keeps.AddRange(answer.Status == NdisStatus.Success ? below._keeps : []);
        _restart = verdict.RestartFor ?? _restart;
        return new OriginatedAnswer(answer.Status, answer.Output, answer.BytesNeeded);
    }

    /// <summary>A status goes up, and nobody above takes part in it: what is left to do is to judge it and to have it on record.</summary>
    bool Indicate(int position, uint port, int index, string status)
    {
        var extension = _order[position];
        if (OneTooMany(position, "a status"))
        {
            return false;
        }
        if (ExtensionRights.Indication(_switch, extension, port, index, status) is { } broken)
        {
            _faults.Add(new ExtensionFault(position, extension.Name, broken.Rule, broken.Detail));
            return false;
        }
        return _originations.Indicated(
            _switch, new OriginatedStatus(_request.RequestId, position, extension.Name, port, index, status, true));
    }

    bool OneTooMany(int position, string what)
    {
        var bound = _originations.Full(_depth, position, out var first);
        if (first)
        {
            _faults.Add(
                new ExtensionFault(position, _order[position].Name, bound!, $"sent {what}, which is one too many; it was not sent"));
        }
        return bound is not null;
    }

    void Pass(int position, ExtensionDefinition extension, NdisStatus status) =>
        _trace.Add(new TraceStep(position, extension.Name, TraceDirection.Down, status));

    void Keep(int position, ExtensionDefinition extension, ExtensionAnswer answer)
    {
        if (answer.Keeps.Count > KeepsMax || answer.Keeps.Any(kept => kept.Value?.Length > KeptMax))
        {
            _faults.Add(
                new ExtensionFault(
                    position, extension.Name, "kept",
                    $"wanted to keep more than {KeepsMax} things of {KeptMax} characters; nothing of it is kept"));
            return;
        }
        _keeps.AddRange(answer.Keeps.Select(kept => new KeptState(ExtensionIds.Key(extension), kept.Key, kept.Value)));
    }

    StackVerdict So() => new(null, _trace, _faults, _mtu, _uses)
    {
        Owner = _owner,
        Keeps = _keeps.Count == 0 ? null : _keeps,
        RestartFor = _restart,
        Originated = _depth == 0 ? _originations.OrNull : null,
        Indicated = _depth == 0 ? _originations.StatusesOrNull : null,
    };

    /// <summary>The one change of a payload that is allowed: lower, on the first NIC_CREATE of a synthetic NIC (switch.md 1.4).</summary>
    bool MayLowerMtu(int mtu) =>
        _request.Oid == OidCode.NicCreate
        && _request.Parameters is NicParameters { NicType: NicType.Synthetic, Mtu: { } given } nic
            && nic.Flags?.Contains("NicInitializing") == true
        && mtu > 0 && mtu <= (_mtu ?? given);
}
