using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>Faults that were asked for, one per verb; a new one takes the place of the old. The caller holds the host's lock.</summary>
sealed class Faults
{
    /// <summary>Commands that planted one and are remembered, so that a repeated command plants once.</summary>
    const int PlantedMax = 256;

    readonly Queue<string> _planted = new();
    readonly Dictionary<DriverVerb, PlantedFault> _faults = [];

    public Completion Plant(DriverCommand command)
    {
        if (command.Fault is not { Times: > 0 } fault)
        {
            return new Completion(command.CommandId, NdisStatus.InvalidParameter, "a fault needs a verb, a status and how often");
        }
        if (!_planted.Contains(command.CommandId))
        {
            _planted.Enqueue(command.CommandId);
            if (_planted.Count > PlantedMax)
            {
                _planted.Dequeue();
            }
            Plant(fault);
        }
        return new Completion(command.CommandId, NdisStatus.Success);
    }

    public void Plant(PlantedFault fault) => _faults[fault.Verb] = fault;

    /// <summary>What the next command with that verb answers instead of being carried out, or null.</summary>
    public NdisStatus? Strikes(DriverVerb verb)
    {
        if (!_faults.TryGetValue(verb, out var fault))
        {
            return null;
        }
        if (fault.Times == 1)
        {
            _faults.Remove(verb);
        }
        else
        {
            _faults[verb] = fault with { Times = fault.Times - 1 };
        }
        return fault.Status;
    }
}
