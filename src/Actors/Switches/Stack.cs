using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The ordered extensions of a switch: capture, filter, forward, and below them the miniport edge (switch.md 1.2). The
/// way down is one pure turn; the way up is known when the edge, or whoever refused, has answered (switch.md 3.5).
/// </summary>
public static class Stack
{
    /// <summary>The enabled extensions, top first. The definition's order holds within a class.</summary>
    public static IReadOnlyList<ExtensionDefinition> Order(SwitchDefinition definition) =>
        [.. definition.Extensions.Where(extension => extension.Enabled).OrderBy(extension => extension.Class)];

    public static string UseKey(int position, int index) => string.Create(CultureInfo.InvariantCulture, $"{position}/{index}");

    /// <summary>Sends the OID down until an extension completes it or the edge is reached.</summary>
    public static StackVerdict Down(
        SwitchDefinition definition, OidRequest request, IReadOnlyDictionary<uint, SwitchPort> ports, IReadOnlyDictionary<string, int> used)
    {
        var (trace, faults, uses) = (new List<TraceStep>(), new List<ExtensionFault>(), new List<string>());
        var order = Order(definition);
        int? mtu = null;
        for (var position = 0; position < order.Count; position++)
        {
            var extension = order[position];
            var answer = BuiltIn.All[extension.Name].Ask(
                mtu is null ? request : request with { Parameters = ((NicParameters)request.Parameters!) with { Mtu = mtu } },
                new StackView(position, extension.Settings ?? new ExtensionSettings(), ports, used));
            if (answer.Uses is { } index)
            {
                uses.Add(UseKey(position, index));
            }
            if (answer.Mtu is not null && !MayLowerMtu(request, mtu, answer.Mtu.Value))
            {
                answer = answer with { Mtu = null, ChangesPayload = true };
            }
            faults.AddRange(Faults(request, extension, answer).Select(fault => new ExtensionFault(position, extension.Name, fault.Rule, fault.Detail)));
            if (answer.Completes is { } status && status != NdisStatus.Success && MayRefuse(request, extension.Class))
            {
                trace.Add(new TraceStep(position, extension.Name, TraceDirection.Down, status));
                return new StackVerdict(new RefusedBy(position, extension.Name, status), trace, faults, null, uses);
            }
            trace.Add(new TraceStep(position, extension.Name, TraceDirection.Down, NdisStatus.Pending));
            mtu = answer.Mtu ?? mtu;
        }
        return new StackVerdict(null, trace, faults, mtu, uses);
    }

    /// <summary>The whole trace: down, the edge if it was reached, and up with the status that everybody sees.</summary>
    public static ImmutableArray<TraceStep> WholeTrace(StackVerdict verdict, NdisStatus status)
    {
        var trace = verdict.Trace.ToImmutableArray();
        if (verdict.Refused is null)
        {
            trace = trace.Add(new TraceStep(RefusedBy.EdgePosition, RefusedBy.EdgeName, TraceDirection.Down, status));
        }
        var up = verdict.Trace
            .Where(step => verdict.Refused is null || step.Position < verdict.Refused.Position)
            .Reverse()
            .Select(step => step with { Direction = TraceDirection.Up, Status = status });
        return trace.AddRange(up);
    }

    /// <summary>
    /// Who undoes after a refusal: the extensions above the refuser that had agreed, nearest to it first (switch.md 9.3.2).
    /// </summary>
    public static IEnumerable<TraceStep> Undo(OidRequest request, StackVerdict verdict, NdisStatus status) =>
        status == NdisStatus.Success || !request.Oid.Refusable
            ? []
            : WholeTrace(verdict, status).Where(step => step.Direction == TraceDirection.Up);

    /// <summary>Capture never; NIC_CREATE for index 0 only; and only OIDs that may be refused at all (switch.md 0.2, 0.3).</summary>
    static bool MayRefuse(OidRequest request, ExtensionClass extensionClass) =>
        request.Oid.Refusable && extensionClass != ExtensionClass.Capture && !(request.Oid == OidCode.NicCreate && request.NicIndex != 0);

    /// <summary>The one change of a payload that is allowed: lower, on the first NIC_CREATE of a synthetic NIC (switch.md 1.4).</summary>
    static bool MayLowerMtu(OidRequest request, int? lowered, int mtu) =>
        request.Oid == OidCode.NicCreate
        && request.Parameters is NicParameters { NicType: NicType.Synthetic, Mtu: { } given } nic && nic.Flags?.Contains("NicInitializing") == true
        && mtu > 0 && mtu <= (lowered ?? given);

    static IEnumerable<(string Rule, string Detail)> Faults(OidRequest request, ExtensionDefinition extension, ExtensionAnswer answer)
    {
        if (answer.Completes is { } status && !(status != NdisStatus.Success && MayRefuse(request, extension.Class)))
        {
            yield return status == NdisStatus.Success && (request.Oid == OidCode.PortCreate || request.Oid == OidCode.NicCreate)
                ? ("X27", $"completed {request.Oid} itself with success; the OID went on")
                : extension.Class == ExtensionClass.Capture && status != NdisStatus.Success
                    ? ("V03", $"a capture extension may not refuse {request.Oid}; the OID went on")
                    : ("X28", $"completed {request.Oid} itself with {status.Name()}; the OID went on");
        }
        if (answer.ChangesPayload)
        {
            yield return ("X29", $"changed the payload of {request.Oid}; the original went on");
        }
        if (answer.Originates is { } originated)
        {
            yield return ("X26", $"tried to originate {originated}, which an extension never may");
        }
    }
}
