using Akka.Actor;
using Akka.Serialization;

namespace ControlPlane.Host.Engine;

/// <summary>
/// Stands where Akka's reflecting JSON serializer would: a type without a serializer of its own is refused by name, when
/// it is first sent and not when it can no longer be read.
/// </summary>
sealed class RefusingSerializer(ExtendedActorSystem system) : Serializer(system)
{
    public override int Identifier => Numbers.RefusingSerializerId;

    public override bool IncludeManifest => true;

    public override byte[] ToBinary(object obj) => throw Refused(obj.GetType());

    public override object FromBinary(byte[] bytes, Type type) => throw Refused(type);

    static NotSupportedException Refused(Type? type) =>
        new($"{type?.FullName ?? "a message"} has no serializer: give it a stored name, or keep it within one node");
}
