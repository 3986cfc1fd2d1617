using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.DriverLinux;

/// <summary>
/// An array of numbers of eight bytes in the kernel, all zero at first. It lives as long as this descriptor is open or a
/// program uses it.
/// </summary>
sealed unsafe record BpfMap(SafeFileHandle Descriptor) : IDisposable
{
    const int Create = 0;
    const int Lookup = 1;
    const int Update = 2;
    const int FromId = 14;
    const int Array = 2;
    const int ValueBytes = 8;

    /// <summary>For the instructions of a program that is loaded while this one is open.</summary>
    public int Number => (int)Descriptor.DangerousGetHandle();

    public static BpfMap New(string name, int values)
    {
        var attributes = new byte[BpfCall.AttributeBytes];
        BinaryPrimitives.WriteInt32LittleEndian(attributes, Array);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), sizeof(uint));
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(8), ValueBytes);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(12), values);
        BpfCall.Label(name).CopyTo(attributes.AsSpan(28));
        return new BpfMap(BpfCall.Open(Create, "make a map for " + name, attributes));
    }

    /// <summary>Null when it is no more.</summary>
    public static BpfMap? Find(uint id) => BpfCall.Find(FromId, "open a map", id) is { } found ? new BpfMap(found) : null;

    public long Read(int place)
    {
        var value = 0L;
        At(Lookup, "read a counter", place, &value);
        return value;
    }

    public void Write(int place, long value) => At(Update, "set a counter", place, &value);

    public void Dispose() => Descriptor.Dispose();

    void At(int command, string what, int place, long* value)
    {
        var attributes = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(attributes, Number);
        BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), (nint)(&place));
        BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(16), (nint)value);
        BpfCall.Do(command, what, attributes);
    }
}
