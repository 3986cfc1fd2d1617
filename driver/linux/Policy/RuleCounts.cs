using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>The counters of a NIC: its spoofing guard, and its access rules in the policy's order.</summary>
sealed class RuleCounts(int acls)
{
    readonly long[] _acls = new long[acls];

    public long Spoofed { get; private set; }

    public IReadOnlyList<long> Acls => _acls;

    /// <summary>Adds what a program of the NIC has counted and was given.</summary>
    public void Read(PortProgram program, BpfMap map)
    {
        var counter = 0;
        foreach (var place in program.Counted)
        {
            var count = Math.Min(map.Read(counter) + map.Read(program.Counters + counter), NicRuntime.CountMax);
            counter++;
            if (place is { } rule)
            {
                _acls[rule] = count;
            }
            else
            {
                Spoofed = count;
            }
        }
    }

    /// <summary>
    /// Lets the counters of a program go on from what was gathered elsewhere; what is not given stays. What was given is
    /// beside what was counted here, so no frame is missed meanwhile, and giving the same again changes nothing.
    /// </summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Give(PortProgram program, BpfMap map, NicRuntimePart given)
    {
        var (counter, changed) = (program.Counters, false);
        foreach (var place in program.Counted)
        {
            if ((place is { } rule ? given.AclHits?[rule] : given.SpoofedDropped) is { } count && map.Read(counter) != count)
            {
                map.Write(counter, count);
                changed = true;
            }

            counter++;
        }

        return changed;
    }
}
